"""The stats that handlers return: `return retstat.OK, {...}`; further words of one's own are as good."""

from __future__ import annotations

OK = "OK"
ERR_BAD_PARAMS = "ERR_BAD_PARAMS"
ERR_SERVER_EXCEPTION = "ERR_SERVER_EXCEPTION"
ERR_HANDLER_NOT_EXISTS = "ERR_HANDLER_NOT_EXISTS"
