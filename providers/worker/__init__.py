"""Background work shared by every kind of job: clocks, leases, turns, back-off and the task queue.

    clock    two clocks: the database's, and one of this machine that also runs while it sleeps
    leases   who may act on a claimed row, and until when its first byte may go out
    turns    one process at a time for a named piece of work
    backoff  how long to wait after a failure
    queue    put a task into the queue unless it is waiting there already
    outbox   the base of tables that are queues of deliveries
    models   the tables of turns and of waiting tasks

Every kind of work follows the same steps:

1. ``turns.take`` the turn, where only one process may work at a time.
2. ``Lease.begin``, before the transaction that claims rows. The lease stores when others may judge the rows, and
   knows until when this process may begin to send.
3. In the claiming transaction: ``turn.keep()``, and only if that is true, write the rows with ``lease.until``. Commit.
4. Send with ``lease.send_by``. A process that was stopped or a machine that slept sends nothing afterwards: it gets
   ``LeaseEnded``, a ``NotSent`` that says nothing about the other side.
5. Record each outcome only where the row still has this lease (``lease_until`` is ``lease.until``) or its state.
"""
