"""The door that speaks the Scale REST API, v1 and v2: translation over the features, no second model."""
