"""Apps as programs install and change them."""

INSTALL = "/api/v1/marketplace/listings/stripe/install/apikey"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SECOND_ACCOUNT, SECOND_KEY = "acct_second", "sk_test_of_the_second"
OTHER_KEY = "sk_test_another_of_the_first"
