"""What Aftervisit says: the message library, how it is rendered, and the rules it is held to.

Pure: nothing here opens a connection, reads a clock or draws a random number. Importing this
package loads none of its modules, so that short commands start quickly.
"""
