"""The pure part of the door that speaks the Scale REST API: parsing, mapping both ways, made-up responses."""
