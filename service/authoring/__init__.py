"""What authors of content work with: the library, versions of series, and moving patients."""
