"""An error that python can only mention."""


class Fails:
    def __call__(self):
        raise RuntimeError("in __del__")

    def __repr__(self):
        return "<Fails>"


class Bad:
    __del__ = Fails()


bad = Bad()
del bad
print("after")
