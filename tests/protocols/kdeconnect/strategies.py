"""What hypothesis makes for the tests of KDE Connect."""

from hypothesis import strategies as st

from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

# JSON text has no lone surrogates, and numbers beyond 64 bits do not survive every writer.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(
    allow_nan=False, allow_infinity=False
)
scalars: st.SearchStrategy[JsonValue] = st.none() | st.booleans() | numbers | texts

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=10,
)
json_objects: st.SearchStrategy[JsonObject] = st.dictionaries(
    texts, json_values, max_size=6
)


def bodies(*keys: str) -> st.SearchStrategy[JsonObject]:
    """Make bodies in which the named fields occur, mostly with values of some wrong type."""
    return st.dictionaries(
        st.sampled_from(keys) | texts, json_values, max_size=len(keys) + 2
    )
