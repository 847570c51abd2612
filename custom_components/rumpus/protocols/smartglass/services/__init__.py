"""What a console can do, one service for each of its channels.

Nothing is imported here: the events that a session emits carry models of the services.
"""
