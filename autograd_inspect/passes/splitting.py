"""Draw a leaf with many far-apart users once per user.

One weight used at every step of a recurrent net is a node with a thousand edges that span the whole
picture: it, not the number of nodes, is what makes such graphs impossible to lay out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from autograd_inspect.passes.part import Part, is_leaf

_FEW_USERS = 3
_NEAR = 4


def split_leaves(part: Part) -> Part:
    """Give each user of a far-reaching leaf a box of its own for it."""
    split = _far_reaching(part)
    arrows = np.flatnonzero(split[part.target])
    arrows = arrows[np.argsort(part.target[arrows], kind="stable")]
    leaf = part.target[arrows]
    # The first user keeps the box there is; each further one gets a new box.
    further = arrows[1:][leaf[1:] == leaf[:-1]]
    target = part.target.copy()
    target[further] = len(part) + np.arange(len(further))
    return replace(part, node=np.append(part.node, part.node[part.target[further]]), target=target)


def _far_reaching(part: Part) -> npt.NDArray[np.bool_]:
    depth = part.graph.node_table.depth[part.node[part.source]]
    first = np.full(len(part), np.iinfo(np.int32).max)
    last = np.full(len(part), -1)
    np.minimum.at(first, part.target, depth)
    np.maximum.at(last, part.target, depth)
    users = np.bincount(part.target, minlength=len(part))
    far: npt.NDArray[np.bool_] = (users > _FEW_USERS) & (last - first > _NEAR)
    return far & is_leaf(part.graph)[part.node]
