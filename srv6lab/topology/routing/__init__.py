"""What an author writes of routing protocols, in the words of FRR: a file for each."""
