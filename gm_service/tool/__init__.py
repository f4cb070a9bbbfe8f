"""Programs that gm_task runs as subprocesses."""
