"""Members of the clinics' staff: who they are, what they may, how they sign in."""
