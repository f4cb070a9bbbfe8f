"""The application that gunicorn serves: `gunicorn gm_service.wsgi:app`."""

from __future__ import annotations

from gm_service.app import create_app

app = create_app()
