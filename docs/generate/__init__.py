"""The generated parts of the documentation: `make docs` writes them, tests/docs holds them current.

Each part stands in a document between two comments and is made by one function here from the code
that it describes. What a person writes stays outside of these comments.
"""
