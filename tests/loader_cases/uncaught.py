"""An error nobody catches."""


def train(steps):
    return steps / 0


def main():
    train(
        3,
    )


main()
