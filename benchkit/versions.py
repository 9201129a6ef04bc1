"""Releases of torch: whether one is among those that a finding, a waiver or a value of an option speaks of."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version


def among(release: str, versions: SpecifierSet) -> bool:
    """Whether the versions have a release, pre-releases too; 2.13.0+cpu is 2.13.0 here."""
    return versions.contains(Version(release).public, prereleases=True)
