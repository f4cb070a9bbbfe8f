"""The application that gunicorn serves: `gunicorn gm_async_task.wsgi:app`."""

from __future__ import annotations

from gm_async_task.app import create_app

app = create_app()
