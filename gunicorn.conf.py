"""How gunicorn serves the shop; it reads this file by itself. What the command line says wins."""

import os

# Threads reuse database connections: a connection for each request would be more than half of its work. More than two
# in a process only pass the interpreter's lock around, a fifth more CPU for each call of the API (bench/api.py); a
# machine with more cores wants more workers.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 2
timeout = 60
graceful_timeout = 30
# Clients of the panel API keep their connection between two polls.
keepalive = 15
# Old programs put a thousand order numbers into the address.
limit_request_line = 8190
# Without the query: programs that use GET have their key in it.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(b)s %(L)s'
# It would be one more thing in the user's home folder.
control_socket_disable = True
