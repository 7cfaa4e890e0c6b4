"""The user pool of compose.yaml: made on its emulator, and told to the site in `CRUDDUR_LOCAL_DIR/env`."""

import os
import secrets
import sys
from pathlib import Path

from local_stack.cognito_pool import ensure_pool
from local_stack.environment import read_env, write_env
from local_stack.problem import Problem


def main() -> int:
    """Returns the exit code; what is wrong is said in a sentence."""
    file = Path(os.environ["CRUDDUR_LOCAL_DIR"]) / "env"
    endpoint_url = os.environ["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"]
    try:
        pool = ensure_pool(
            endpoint_url=endpoint_url,
            public_url=endpoint_url,
            region=os.environ["AWS_REGION"],
            app_urls=[os.environ["APP_URL"]],
        )
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    # Kept, so that who is signed in stays so over a start.
    secret_key = read_env(file).get("SECRET_KEY") or secrets.token_urlsafe(48)
    write_env(file, {"SECRET_KEY": secret_key, **pool.environment()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
