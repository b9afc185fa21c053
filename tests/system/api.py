"""A client of the broker's HTTPS API that holds every answer against the specification: status, content type, and the schema of its body."""
import json
import re
import ssl

import httpx
import jsonschema
import yaml

from fed import SOURCE

SPEC = yaml.safe_load((SOURCE / "docs/api/openapi.yaml").read_text())
SEEN = set()  # (method, path of the specification, status) of every answer
REFS = jsonschema.RefResolver("", SPEC)


def template_of(path):
    """The specification's path that this one is an instance of; literal ones first."""
    path = path.split("?")[0]
    for template in sorted(SPEC["paths"], key=lambda t: t.count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return template
    return None


def resolve(item):
    """What a reference names, and what is said beside it."""
    return {**REFS.resolve(item["$ref"])[1], **{k: v for k, v in item.items() if k != "$ref"}} if "$ref" in item else item


def is_as_specified(method, template, reply):
    row = SPEC["paths"].get(template, {}).get("get" if method == "HEAD" else method.lower(), {})
    responses = row.get("responses", {})
    if responses and str(reply.status_code).startswith("2"):
        assert str(reply.status_code) in responses, (method, template, reply.status_code)
    said = resolve(responses.get(str(reply.status_code)) or responses.get("default") or SPEC["components"]["responses"]["Problem"])
    content = said.get("content", {})
    kind = reply.headers.get("content-type", "")
    if method == "HEAD" or not reply.content or (not content and "schema" not in str(said)):
        return
    assert kind in content, (method, template, reply.status_code, kind)
    bodies = [json.loads(line) for line in reply.text.splitlines()] if kind.endswith("ndjson") else [reply.json()]
    check = jsonschema.Draft202012Validator(content[kind]["schema"], resolver=REFS, format_checker=jsonschema.FormatChecker())
    for body in bodies[:1000]:
        fault = jsonschema.exceptions.best_match(check.iter_errors(body))
        assert not fault, f"{method} {template} {reply.status_code}: {fault.message} at {list(fault.absolute_path)}: {body}"


class Client:
    """One member's connection: httpx with its certificate, to the loopback address under the broker's name."""

    def __init__(self, fed, cert, http2=True):
        context = ssl.create_default_context(cafile=cert.root)
        context.load_cert_chain(cert.chain, cert.key)
        self.http = httpx.Client(http2=http2, http1=not http2, verify=context, timeout=30,
                                 base_url=f"https://{fed.host}:{fed.port}/api/v1")

    def __call__(self, method, path, **more):
        reply = self.http.request(method, path, **more)
        template = template_of(path)
        is_as_specified(method, template, reply)
        SEEN.add((method, template, str(reply.status_code)))
        return reply


def is_problem(reply, status):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["status"] == status and body["type"] == "about:blank" and body["title"] and body["detail"]
    return body
