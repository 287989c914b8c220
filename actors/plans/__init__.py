"""Floor plans: pictures of the place, and where its lights and gateways are."""
