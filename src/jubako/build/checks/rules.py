"""The rules by name, and what a broken one reads like.

Names, addresses and the wording of each detail are BuildKit's, since people search for them and tools read them.
Spec: Dockerfile reference, "Build checks".
"""

from __future__ import annotations

import re

import msgspec

_PAGES = "https://docs.docker.com/go/dockerfile/rule/"


class Rule(msgspec.Struct, frozen=True):
    name: str
    description: str
    experimental: bool = False

    @property
    def url(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=JSON)(?=A)", "-", self.name)
        return f"{_PAGES}{words.lower()}/"


class Warned(msgspec.Struct, frozen=True):
    """One rule broken on these lines of the Dockerfile."""

    rule: Rule
    detail: str
    first_line: int
    last_line: int

    def short(self) -> str:
        return f"{self.rule.name}: {self.detail} (line {self.first_line})"


_ALL = (
    Rule("StageNameCasing", "Names of stages are written in lower case"),
    Rule("FromAsCasing", "AS is written in the case of its FROM"),
    Rule("NoEmptyContinuation", "A continued instruction has no empty lines"),
    Rule("ConsistentInstructionCasing", "All instructions of a file are written in one case, upper or lower"),
    Rule("DuplicateStageName", "No two stages have the same name"),
    Rule("ReservedStageName", "A stage does not have a name that means something else"),
    Rule("JSONArgsRecommended", "CMD and ENTRYPOINT in JSON form let the process receive signals"),
    Rule("MaintainerDeprecated", "The author is named by a label instead of MAINTAINER"),
    Rule("UndefinedArgInFrom", "FROM uses only arguments that are declared before the first stage"),
    Rule("WorkdirRelativePath", "A relative WORKDIR needs an absolute one before it in the Dockerfile"),
    Rule("UndefinedVar", "Variables are defined before they are used"),
    Rule("MultipleInstructionsDisallowed", "Instructions of which only the last one counts are given once"),
    Rule("LegacyKeyValueFormat", "Keys and values are joined by ="),
    Rule("RedundantTargetPlatform", "FROM is for the target platform anyway"),
    Rule("SecretsUsedInArgOrEnv", "ARG and ENV stay visible in the image, so they do not hold secrets"),
    Rule("InvalidDefaultArgInFrom", "FROM names an image also when no build argument is given"),
    Rule("FromPlatformFlagConstDisallowed", "The platform of FROM is left to the builder"),
    Rule("CopyIgnoredFile", "What is copied is not left out by .dockerignore", True),
    Rule("InvalidDefinitionDescription", "A comment above ARG or FROM begins with the name it describes", True),
    Rule("ExposeProtoCasing", "Protocols are written in lower case"),
    Rule("ExposeInvalidFormat", "EXPOSE names a port of the container and nothing of the host"),
)
RULES = {rule.name: rule for rule in _ALL}
