"""How gunicorn serves the shop; it reads this file by itself. What the command line says wins."""

import os

# Receives whole requests within deadlines before a thread sees them, so that slow clients hold up nobody.
worker_class = "storefront.web.gunicorn_worker.BufferingWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Threads reuse database connections: a connection for each request would be more than half of its work. Four leave room
# for a page of the back office that waits for a panel; for more load, more workers are better than more threads.
threads = 4
timeout = 60
graceful_timeout = 30
# Seconds a connection may be idle between two requests: clients of the panel API keep theirs between two polls.
keepalive = 15
# Without the query: programs that use GET have their key in it.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(b)s %(L)s'
# It would be one more thing in the user's home folder.
control_socket_disable = True
