"""The routes of the HTTP API, one blueprint a resource."""
