"""Assetto Corsa's own interfaces: their bytes, their transport, their units and axes turned into ours."""
