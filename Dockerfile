# One image for each service, each with no more than its service needs: docker build --target gm_task .
# docs/operations.md, section Docker compose, says how to pin the base by its digest.

ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ["python", "-m", "venv", "/opt/venv"]

FROM builder AS gm_async_task_packages
COPY requirements/gm_async_task.txt /tmp/requirements.txt
RUN ["/opt/venv/bin/python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "/tmp/requirements.txt"]

FROM builder AS gm_service_packages
COPY requirements/gm_service.txt /tmp/requirements.txt
RUN ["/opt/venv/bin/python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "/tmp/requirements.txt"]

FROM builder AS gm_task_packages
COPY requirements/gm_task.txt /tmp/requirements.txt
RUN ["/opt/venv/bin/python", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "/tmp/requirements.txt"]

# What every image begins with. A named volume takes the owner of the folder that it is first mounted on.
FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 10001 gm \
    && useradd --uid 10001 --gid gm --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gm \
    && install --directory --owner=gm --group=gm /srv/gm/files
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/gm PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    GM_FILES_DIR=/srv/gm/files GM_SECRETS_DIR=/run/secrets
WORKDIR /opt/gm
# Its version is what a release is called that has no name of its own.
COPY pyproject.toml ./
COPY shared/ shared/
STOPSIGNAL SIGTERM

# gm_async_task, its keeper (python -m gm_async_task.keeper) and its migrations.
FROM runtime AS gm_async_task
COPY --from=gm_async_task_packages /opt/venv /opt/venv
COPY gm_async_task/ gm_async_task/
USER 10001:10001
ENV GM_ASYNC_TASK_BIND=0.0.0.0:8001
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/healthz', timeout=3)"]
CMD ["python", "-m", "gunicorn", "-c", "gm_async_task/gunicorn.conf.py", "gm_async_task.wsgi:app"]

FROM runtime AS gm_service
COPY --from=gm_service_packages /opt/venv /opt/venv
COPY gm_service/ gm_service/
USER 10001:10001
ENV GM_SERVICE_BIND=0.0.0.0:8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["python", "-m", "gunicorn", "-c", "gm_service/gunicorn.conf.py", "gm_service.wsgi:app"]

# The worker, and of gm_service what its export script is made of.
FROM runtime AS gm_task
COPY --from=gm_task_packages /opt/venv /opt/venv
COPY gm_service/__init__.py gm_service/db.py gm_service/yongyou.py gm_service/
COPY gm_service/orders/ gm_service/orders/
COPY gm_service/tool/ gm_service/tool/
COPY gm_task/ gm_task/
USER 10001:10001
ENV GM_WORKER_HEALTH_FILE=/tmp/gm_task.health
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "gm_task.health"]
CMD ["python", "-m", "gm_task.worker"]
