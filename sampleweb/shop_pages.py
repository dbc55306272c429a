"""placeholder"""

CHALLENGE = b"captcha"


class ShopPages:
    pass
