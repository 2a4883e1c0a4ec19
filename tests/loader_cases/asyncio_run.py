"""An event loop, and an error out of it."""
import asyncio


async def fail():
    await asyncio.sleep(0)
    raise LookupError("in a task")


async def main():
    print(await asyncio.gather(asyncio.sleep(0, "a"), asyncio.sleep(0, "b")))
    await fail()


asyncio.run(main())
