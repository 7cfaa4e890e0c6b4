"""What cookies are called on the site of the tests."""

import os

from cruddur.web.cookies import cookie_names

COOKIES = cookie_names(os.environ["APP_URL"])
