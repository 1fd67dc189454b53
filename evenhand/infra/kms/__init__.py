"""Key services: where a customer's own key lives. A port with five calls, and an adapter for each kind of service."""
