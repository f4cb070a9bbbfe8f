"""Fields that the commands of exports and imports share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.web.fields import Text

TimeConfigId = Annotated[Text, Field(min_length=1, max_length=32)]
FileName = Annotated[Text, Field(max_length=255)]
