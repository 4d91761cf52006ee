"""What a plugin can do where nothing holds it to a right or limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from nebula_lab.model.enforcement import Question

__all__ = ["RISKS"]

# To be read after the ids of plugins. What is always enforced in some way needs none.
RISKS: Mapping[Question, str] = defaultdict(
    str,
    {
        Question.NO_NETWORK: "can reach the network",
        Question.HOSTS: "can reach everyone on the network, not only the hosts that were allowed",
        Question.NETWORK: "can use raw and Unix sockets, such as those of Docker and D-Bus",
        Question.FILES: "can use all files that you may use",
        Question.ALL_FILES: "can use nebula_lab's own files, and those of other plugins",
        Question.NO_PROCESSES: "can start other processes",
        Question.OTHERS: "can signal, trace and read other processes of yours",
        Question.OTHERS_OF_SPAWNER: "can end other processes of yours",
        Question.PROCESSES: "can leave processes behind when it ends",
        Question.SYSTEM_CALLS: "can make every system call, also those that are never allowed",
        Question.OWN_ENVIRONMENT: "can use sockets of other programs, and change modes of your "
        "files, by way of its packages",
        Question.SCRATCH_WITH_SOCKETS: "can fill the disk with files that have no name",
        Question.FUEL: "can compute until its deadline",
    },
)
