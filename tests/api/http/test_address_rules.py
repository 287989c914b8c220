"""Rules of addresses compile nothing before an address is built, and build it as any other."""

from quart_trio import QuartTrio

from api.http.address_rules import Rule


async def test_an_address_is_built_from_a_rule_once_it_is_asked_for(app: QuartTrio) -> None:
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 50
    assert all(type(rule) is Rule for rule in rules)
    rule = next(rule for rule in rules if rule.rule == "/api/v1/devices/<dev_eui>")
    async with app.test_request_context("/", headers={"Host": "localhost"}):
        built = app.url_for(rule.endpoint, dev_eui="a b", limit=1, _external=False)
    assert built == "/api/v1/devices/a%20b?limit=1"
