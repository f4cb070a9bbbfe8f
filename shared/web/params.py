"""Turns a request's parameters into a command: query string, and for POST a JSON or form body, which wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from apiflask.scaffold import APIScaffold
from flask import g, request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import InvalidField, MalformedRequest, TooLarge
from shared.web import strict_json
from shared.web.uploads import Upload

Model = TypeVar("Model", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])
MAX_QUERY_CHARACTERS = 8000


def takes(
    model: type[BaseModel],
    *,
    answers: type[BaseModel] | None = None,
    location: str = "json",
    max_body: str = "max_body_bytes",
) -> Callable[[View], View]:
    """Pass the view a `command` of `model` made from the request.

    `answers` (the envelope of success) and `location` (`json` or `query`) are for the OpenAPI document;
    `max_body` names the setting that limits the body.

    Raises (to the error handler): MalformedRequest, InvalidField, TooLarge; the view is then not called.
    """

    def decorate(view: View) -> View:
        @wraps(described(view, model, answers, location))
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            parameters = read_parameters(getattr(g.settings, max_body))
            return view(*args, command=to_command(model, parameters), **kwargs)

        return cast(View, wrapper)

    return decorate


def described(view: View, model: type[BaseModel], answers: type[BaseModel] | None, location: str) -> Any:
    """Return the view with its schemas noted for the OpenAPI document; only the notes are of use.

    Reading stays ours, as APIFlask drops repeated parameters silently; and so does writing, as the services
    hand out what their models have already validated.
    """
    scaffold = APIScaffold()
    described = scaffold.input(model, location=location)(view)
    return scaffold.output(answers)(described) if answers is not None else described


def read_parameters(max_body_bytes: int) -> dict[str, Any]:
    """Collect the request's parameters by name; the same name in query and body is taken from the body."""
    if len(request.query_string) > MAX_QUERY_CHARACTERS:
        raise TooLarge(what="query string", limit=f"{MAX_QUERY_CHARACTERS} characters")
    parameters = _flat(request.args.to_dict(flat=False))
    if request.method == "POST":
        parameters.update(_body(max_body_bytes))
    return parameters


def to_command(model: type[Model], parameters: dict[str, Any]) -> Model:
    """Validate `parameters` as `model`.

    Raises:
        InvalidField: naming the first field that is wrong, and why.
    """
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise _to_invalid_field(error) from None


def read_json_body(max_bytes: int) -> dict[str, Any]:
    """Return the body as a JSON object, whatever its Content-Type says; an empty one is an empty object.

    Nothing may have touched `request.form` before, which would have eaten it.

    Raises:
        TooLarge, MalformedRequest
    """
    _limit_body(max_bytes)
    raw = request.get_data(cache=True)
    if len(raw) > max_bytes:
        raise TooLarge(what="request body", limit=f"{max_bytes} bytes")
    if not raw.strip():
        return {}
    try:
        value = strict_json.loads(raw)
    except ValueError as error:
        raise MalformedRequest(problem=str(error)) from None
    if not isinstance(value, dict):
        raise MalformedRequest(problem="the body must be a JSON object")
    return value


def _body(max_bytes: int) -> dict[str, Any]:
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        _limit_body(max_bytes)
        return _form()
    return read_json_body(max_bytes)


def _limit_body(max_bytes: int) -> None:
    # One byte more, as a body without a length (chunked) is cut at the limit without a word.
    request.max_content_length = max_bytes + 1
    request.max_form_memory_size = max_bytes
    if request.content_length is not None and request.content_length > max_bytes:
        raise TooLarge(what="request body", limit=f"{max_bytes} bytes")


def _form() -> dict[str, Any]:
    files = {
        name: [Upload(_plain_name(each.filename), each.read()) for each in some]
        for name, some in request.files.to_dict(flat=False).items()
    }
    return {**_flat(request.form.to_dict(flat=False)), **_flat(files)}


def _plain_name(name: str | None) -> str:
    """Return a file's name without folders, line breaks and what no database stores."""
    last = re.split(r"[/\\]", name or "")[-1]
    return "".join(letter for letter in last if letter.isprintable())[:255]


def _flat(values: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Keep a list where a name was given more than once, so that a single value is refused and a list taken."""
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _to_invalid_field(error: ValidationError) -> InvalidField:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or _named_in(first["msg"])
    shown = field[:100].encode("utf-8", "backslashreplace").decode()
    return InvalidField(field=shown, problem=_problem(first))


def _named_in(message: str) -> str:
    """Name the parameter that a rule about several of them begins with."""
    first_word = message.removeprefix("Value error, ").split(" ", 1)[0]
    return first_word if "_" in first_word or first_word == "postion" else "body"


def _problem(error: ErrorDetails) -> str:
    """Say what is wrong in our own words; pydantic's speak of items where texts are meant."""
    if error["type"] == "value_error":
        return error["msg"].removeprefix("Value error, ")
    words = _PROBLEMS.get(error["type"], "it is not valid")
    return words.format_map({"expected": "", **error.get("ctx", {})})


_PROBLEMS = {
    "extra_forbidden": "there is no such parameter",
    "missing": "it is required",
    "string_type": "it must be a text",
    "list_type": "it must be a list",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "bool_type": "it must be true or false",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "greater_than_equal": "it must be at least {ge}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be below {lt}",
    "literal_error": "it must be one of {expected}",
    "enum": "it must be one of {expected}",
    "string_too_long": "it must not be longer than {max_length}",
    "too_long": "it must not be longer than {max_length}",
    "string_too_short": "it must not be shorter than {min_length}",
    "too_short": "it must not be shorter than {min_length}",
    "string_pattern_mismatch": "it has characters that are not taken here",
}
