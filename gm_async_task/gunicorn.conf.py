"""How gunicorn serves gm_async_task: `gunicorn -c gm_async_task/gunicorn.conf.py gm_async_task.wsgi:app`."""

import os

from shared.metrics.folder import own_folder

bind = os.environ.get("GM_ASYNC_TASK_BIND", "127.0.0.1:8001")
worker_class = "gthread"
workers = int(os.environ.get("GM_ASYNC_TASK_WORKERS", "1"))
threads = int(os.environ.get("GM_ASYNC_TASK_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 75
# Every instance claims the same control socket by default (gunicorn 25.1 and later).
control_socket_disable = True
# The service logs each request itself, with its request id.
accesslog = None
errorlog = "-"
# The most that gunicorn takes; a list of ids in a query is long.
limit_request_line = 8190
# Callers of workflow jobs name their operator in `x_username`. Of all headers with an underscore this one passes, from
# any address: the service key says who may send it. gunicorn lets no other through (header_map stays "drop").
forwarder_headers = "X_USERNAME"
forwarded_allow_ips = "*"
secure_scheme_headers = {}

# Before the processes are forked, so that each of them tells the counts of all.
own_folder("gm_async_task")
