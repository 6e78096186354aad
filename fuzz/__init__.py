"""Programs that feed the parsers what nobody would write, for as long as somebody lets them."""
