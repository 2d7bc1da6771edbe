"""The twin as Assetto Corsa: the same session, behind the same interfaces."""
