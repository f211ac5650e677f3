import httpx
import pytest

from knowledge.feeds.base import Surroundings


@pytest.fixture
def around(tmp_path):
    return Surroundings(tmp_path)


def read(source, known=None):
    return list(source.documents(known or {}))


def reasons(documents):
    return {p.item or p.path: p.reason for document in documents for p in document.problems}


class Site:
    """A web server in memory: pages by path, and what was asked for."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []

    def __call__(self, request):
        path = request.url.raw_path.decode()
        self.asked.append(path)
        page = self.pages.get(path)
        if page is None:
            return httpx.Response(404)
        if isinstance(page, httpx.Response):
            return page
        if callable(page):
            return page(request)
        kind = "text/html" if str(page).lstrip().startswith("<") else "text/plain"
        body = page if isinstance(page, bytes) else page.encode()
        return httpx.Response(200, content=body, headers={"content-type": kind})

    def around(self, root):
        return Surroundings(root, transport=httpx.MockTransport(self))
