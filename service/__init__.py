"""The running service: state in Redis, carriers, workers, web and command line."""
