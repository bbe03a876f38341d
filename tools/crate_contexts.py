"""Give the validator of crates its two JSON-LD contexts, so that it needs no network.

`python -m tools.crate_contexts CACHE DOCUMENTS`, with the validator's Python, puts the documents (JSON:
address -> content) into the validator's cache of answers, as if a server had sent them.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

RO_CRATE = "https://w3id.org/ro/crate/1.1/context"
WORKFLOW_RUN = "https://w3id.org/ro/terms/workflow-run"
# Terms that RO-Crate 1.1 has elsewhere than 1.3, whose context comes with ro-crate-py.
OF_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
    "cite-as": "https://www.w3.org/ns/iana/link-relations/relation#cite-as",
}
# All terms of the Workflow Run profiles 0.5, in their own namespace.
OF_RUNS = (
    *("ParameterConnection", "connection", "sourceParameter", "targetParameter"),
    *("ContainerImage", "DockerImage", "SIFImage", "containerImage", "registry", "tag"),
    *("md5", "sha1", "sha256", "sha512", "environment", "resourceUsage"),
)


def documents() -> dict[str, Any]:
    """Both contexts by their address, from the installed ro-crate-py and the terms above."""
    import rocrate  # of this project; the validator's Python has none

    newer = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text("utf-8"))
    runs = {term: f"{WORKFLOW_RUN}#{term}" for term in OF_RUNS}
    return {
        RO_CRATE: {"@context": newer["@context"] | OF_1_1},
        f"{WORKFLOW_RUN}/context": {"@context": runs},
    }


def fill(cache: str, contents: dict[str, Any]) -> None:
    """Put documents into the cache; to be run where the validator is installed."""
    import requests
    from requests.adapters import BaseAdapter
    from requests_cache import CachedSession
    from urllib3 import HTTPResponse

    class Shelf(BaseAdapter):
        """Answers from what is given."""

        def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
            body = json.dumps(contents[request.url]).encode()
            headers = {"Content-Type": "application/ld+json"}
            raw = HTTPResponse(io.BytesIO(body), headers, 200, preload_content=False)
            answer = requests.adapters.HTTPAdapter().build_response(request, raw)
            answer.url = request.url
            return answer

        def close(self) -> None:
            pass

    session = CachedSession(cache_name=cache, backend="sqlite", expire_after=-1)
    session.mount("https://", Shelf())
    for address in contents:
        session.get(address)


if __name__ == "__main__":
    fill(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
