"""config/openapi.yaml, against which everything is held that the agent answers and mailflowctl prints.

What is not described there is a failure: a path, a status, a type of content, a member of an object.
"""

import functools
import json
import pathlib
import re

import jsonschema
import yaml

FILE = pathlib.Path(__file__).parents[2] / "config" / "openapi.yaml"
OPERATIONS = {"GET": "get", "HEAD": "get", "POST": "post", "PATCH": "patch", "DELETE": "delete"}
# Of a list longer than twice this its two ends are looked at.
END = 50


@functools.cache
def specification():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(FILE.read_text(), loader)


def resolve(node):
    """What a $ref names, or the node itself."""
    while "$ref" in node:
        names = node["$ref"].removeprefix("#/").split("/")
        node = functools.reduce(lambda at, name: at[name], names, specification())
    return node


def sample(value):
    if isinstance(value, dict):
        return {name: sample(member) for name, member in value.items()}
    if isinstance(value, list):
        chosen = value if len(value) <= 2 * END else value[:END] + value[-END:]
        return [sample(item) for item in chosen]
    return value


def check(value, schema, what):
    resolver = jsonschema.RefResolver("", specification())
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    error = jsonschema.exceptions.best_match(validator.iter_errors(sample(value)))
    assert error is None, f"{what}: {error.json_path}: {error.message}"


def check_schema_named(value, name):
    check(value, {"$ref": f"#/components/schemas/{name}"}, name)


def path_item(path):
    """(template, item) of what describes this path, or (None, {})."""
    for template, item in specification()["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(template))
        if re.fullmatch(pattern, path):
            return template, item
    return None, {}


def described(method, path, status):
    """(template, the description of this answer); of what is not there, what anything else gets."""
    template, item = path_item(path)
    operation = item.get(OPERATIONS.get(method))
    if operation is None:
        expected = 405 if item else 404
        assert status == expected, f"{method} {path}: {status}, though nothing is described there"
        return template, specification()["components"]["responses"]["Problem"]
    response = operation["responses"].get(str(status))
    assert response, f"{method} {template}: {status} is not described"
    return template, resolve(response)


def check_answer(method, target, status, content_type, body):
    """Hold one answer of the agent against its description."""
    path = target.partition("?")[0]
    template, response = described(method, path, status)
    content = response.get("content", {})
    what = f"{method} {template} {status}"
    if not content:
        assert not body, f"{what} has a body"
        return
    assert content_type in content, f"{what}: {content_type} is not described"
    schema = content[content_type]["schema"]
    if method != "HEAD":
        check(json.loads(body) if "json" in content_type else body, schema, what)


def check_printed(verb, code, text):
    """Hold against its description what a verb printed with --json."""
    schema = specification()["x-mailflowctl"][verb]
    failed = specification()["x-mailflowctl-failed"]
    check(json.loads(text), {"anyOf": [schema, failed]} if code else schema, verb)
