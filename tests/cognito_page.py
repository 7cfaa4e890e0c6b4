"""The emulator's sign-in page, filled in without a browser."""

from urllib.parse import urljoin

import requests

from tests import html


def submit(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Fill in and send the page's first form, as a browser would, but stay before the redirect."""
    form = next(html.parse(page.text).iterfind(".//form"))
    data = {field.get("name"): field.get("value", "") for field in form.iterfind(".//input[@name]")} | fields
    return browser.post(urljoin(page.url, form.attrib["action"]), data=data, allow_redirects=False, timeout=60)
