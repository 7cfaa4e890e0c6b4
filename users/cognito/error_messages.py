"""Error messages for when Cognito refuses or does not answer: the problem, and what to do."""

EXPIRED = "The AWS credentials have expired or are not valid. Sign in to AWS again."
NO_POOL = "There is no such user pool. Check COGNITO_USER_POOL_ID and AWS_REGION, or run `make run` for the local one."
NO_CREDENTIALS = "No AWS credentials were found. Sign in to AWS, or set AWS_ENDPOINT_URL for the local stack."
THROTTLED = "Cognito is throttling. Wait a little and try again."
UNREACHABLE = "Cognito does not answer. Check the network and AWS_REGION, or start the local stack with `make run`."
NOT_COGNITO = (
    "What answers is not Cognito. Put AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER or AWS_ENDPOINT_URL right, or stop "
    "what listens there."
)
OF_ANOTHER = frozenset(
    ("", "InvalidAction", "MethodNotAllowed", "NotFound", "UnknownOperation", "UnknownOperationException")
)
"""Error codes of services that do not know the operation."""
SENTENCES = {
    "AliasExistsException": "Another Cognito user signs in with this e-mail or handle already.",
    "CodeDeliveryFailureException": "Cognito could not mail the invitation. Check the pool's e-mail settings.",
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "IncompleteSignatureException": EXPIRED,
    "InternalErrorException": "Cognito is failing at the moment. Try again in a minute.",
    "InvalidClientTokenId": EXPIRED,
    "InvalidSignatureException": "AWS does not accept the credentials. Set them again, and check this machine's clock.",
    "LimitExceededException": "Cognito's limit is reached, perhaps that of its mails in a day. Try again tomorrow.",
    "MissingAuthenticationTokenException": NO_CREDENTIALS,
    "PasswordHistoryPolicyViolationException": "The user had this password before. Choose another one.",
    "ThrottlingException": THROTTLED,
    "TooManyRequestsException": THROTTLED,
    "UnrecognizedClientException": EXPIRED,
    "UserLambdaValidationException": "A function of the pool (its Lambda triggers) refuses this user.",
    "UserNotFoundException": "The Cognito user was deleted just now. Run this again.",
    "UsernameExistsException": "There is a Cognito user with this e-mail or handle already. Run this again.",
}
