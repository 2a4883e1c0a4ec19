"""A spawned worker returns an object of a class of the script's."""
import multiprocessing


class Result:
    def __init__(self, x):
        self.x = x


def make(x):
    return Result(x)


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        results = pool.map(make, range(3))
    print([result.x for result in results], type(results[0]) is Result)
