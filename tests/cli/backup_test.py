"""`lapse backup`: what it copies is shown by tests/jobs; here is how it speaks."""

import sqlite3
import subprocess
import unittest

from case import BUILD, Case


class Backup(Case):
    def data(self):
        """A data folder with jobs in it, made by the test program that is killed in the middle of its work."""
        folder = self.folder / "data"
        child = subprocess.Popen([BUILD / "tests" / "jobs_child", "work", folder, "round", "1"], stdout=subprocess.PIPE, text=True)
        for _ in range(50):
            self.assertTrue(child.stdout.readline())
        child.kill()
        child.communicate()
        return folder

    def test_a_backup_is_a_data_folder_again(self):
        data, to = self.data(), self.folder / "copy"
        self.assertRegex(self.lapse("backup", "--data", data, "--to", to).stdout, r"the database and \d+ blobs \(\d+ bytes\)")
        with sqlite3.connect(to / "jobs.sqlite") as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertGreater(database.execute("SELECT count(*) FROM jobs").fetchone()[0], 0)
            for (blob,) in database.execute("SELECT DISTINCT blob FROM blob_uses"):
                self.assertTrue((to / "blobs" / blob[:2] / blob).is_file())

    def test_nothing_is_overwritten(self):
        self.refused("backup", "--data", self.data(), "--to", self.folder, status=2, says="is there already")

    def test_what_is_no_data_folder_is_refused(self):
        self.refused("backup", "--data", self.folder, "--to", self.folder / "copy", status=2, says="is no data folder")
        self.refused("backup", "--data", self.folder, status=2, says="--to is required")


if __name__ == "__main__":
    unittest.main()
