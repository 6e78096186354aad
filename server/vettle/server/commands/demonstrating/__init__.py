"""The loop that `vettle demo` plays on a simulated agent, through any client of the server."""
