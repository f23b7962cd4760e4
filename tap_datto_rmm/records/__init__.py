"""From the OpenAPI document to schemas, from an item to a record."""
