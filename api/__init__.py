"""What people and programs touch: HTTP, webhooks, live websocket, dashboard, command line."""
