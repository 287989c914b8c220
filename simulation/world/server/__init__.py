"""The pretend network server as a real gRPC server, for clients that want a socket."""

from simulation.world.server.grpc_server import GrpcServer

__all__ = ["GrpcServer"]
