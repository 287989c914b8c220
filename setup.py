"""What `pyproject.toml` cannot say: the packages of the service are installed inside `lamplighter`.

The repository keeps them side by side. In an installation names such as `api` and `store` would be
anybody's; there they lie in `lamplighter/service/`, where only the program itself looks for them.
"""

from setuptools import find_packages, setup

PARTS = ("actors", "api", "lorawan", "store", "simulation")
INSIDE = "lamplighter.service"

found = find_packages(include=[pattern for part in PARTS for pattern in (part, f"{part}.*")])
setup(
    packages=[
        *find_packages(include=["lamplighter", "lamplighter.*"]),
        *(f"{INSIDE}.{package}" for package in found),
    ],
    package_dir={f"{INSIDE}.{part}": part for part in PARTS},
    package_data={
        "lamplighter": ["py.typed"],
        f"{INSIDE}.api": ["static/**/*", "guide/text/*.md", "guide/de/*.md"],
        f"{INSIDE}.store": ["engine/redis/scripts/*.lua"],
    },
)
