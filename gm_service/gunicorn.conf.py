"""How gunicorn serves gm_service: `gunicorn -c gm_service/gunicorn.conf.py gm_service.wsgi:app`."""

import os

from shared.metrics.folder import own_folder

bind = os.environ.get("GM_SERVICE_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("GM_SERVICE_WORKERS", "1"))
threads = int(os.environ.get("GM_SERVICE_THREADS", "8"))
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

# Before the processes are forked, so that each of them tells the counts of all.
own_folder("gm_service")
