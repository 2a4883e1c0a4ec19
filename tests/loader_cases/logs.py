"""Logging finds its caller, and nothing is configured yet."""
import logging

print(logging.getLogger().handlers, logging.getLogger().level)
logging.warning("last resort")
logging.basicConfig(format="%(levelname)s %(module)s:%(lineno)d %(funcName)s %(message)s")


def train():
    logging.error("in a function")


train()
logging.getLogger(__name__).warning("at the top level")
