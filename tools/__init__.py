"""Tools for developers: the local stack, measurements and checks. The image of production contains none of them."""
